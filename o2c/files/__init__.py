"""Files that come in and go out: orders, papers, stock, whole histories."""
