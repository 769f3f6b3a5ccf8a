//! The commits that users asked for, so that they can be asked about.

use std::collections::VecDeque;

use meunier_segment::segment_name::SegmentName;

/// Commits remembered; the oldest is forgotten first.
const JOBS_MAX: usize = 1_000;

/// One commit on request.
#[derive(Debug, Clone)]
pub struct ForceCommitJob {
    /// Its number.
    pub id: u64,
    /// Of which table.
    pub table: String,
    /// When, in milliseconds since the epoch.
    pub submitted_ms: i64,
    /// The segments it seals.
    pub segments: Vec<SegmentName>,
}

/// The latest commits on request.
#[derive(Debug, Default)]
pub(super) struct ForceCommits {
    jobs: VecDeque<ForceCommitJob>,
}

impl ForceCommits {
    pub(super) fn add(&mut self, job: ForceCommitJob) {
        if self.jobs.len() == JOBS_MAX {
            self.jobs.pop_front();
        }
        self.jobs.push_back(job);
    }

    pub(super) fn get(&self, id: u64) -> Option<ForceCommitJob> {
        self.jobs.iter().find(|job| job.id == id).cloned()
    }
}
