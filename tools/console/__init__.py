"""What the programs print: tables, listings, reports, progress."""
