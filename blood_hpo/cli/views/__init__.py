"""What commands show: tables, charts, the live view."""
