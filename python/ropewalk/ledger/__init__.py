"""What an import remembers between its runs, and how it is kept whole."""
