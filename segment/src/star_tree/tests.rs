//! The star-tree alone; that queries are answered from it is tested where they are.

mod small;
mod columns;
mod model;
mod hostile;
mod events;
