"""People's pages: `/c/SLUG/people/…`, a module for each thing that the desk does."""

from importlib import import_module

from huijia.people.pages.desk import pages

__all__ = ["pages"]

for _name in ("people", "life", "merging", "privacy"):
    import_module(f"huijia.people.pages.{_name}")
