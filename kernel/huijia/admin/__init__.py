"""The kernel's own pages, built with the same hooks that plugins use."""
