"""`preview`: predictions drawn on a page, over the user's own frames or on empty ones."""
