//! label_row
