"""What a page is made of: blocks, cells, colours."""
