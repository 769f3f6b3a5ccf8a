//! The one way to the terminal: results to stdout, progress to stderr.

/// Prints one line of a result.
#[expect(clippy::print_stdout, reason = "this is a command-line tool, and this its output")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Says what is going on, apart from the results.
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}

/// Prints rows of cells as a table: the first column to the left, the others to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        line(padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    print(&head.iter().map(ToString::to_string).collect::<Vec<_>>());
    for row in rows {
        print(row);
    }
}

/// Says where a run took place: figures of different machines and loads must not be compared.
pub(crate) fn machine() {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown CPU", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    line(&format!("machine: {cores} cores of {model}, load {load} at the start"));
}
