"""What can be asked, typed: read from projections and streams."""
