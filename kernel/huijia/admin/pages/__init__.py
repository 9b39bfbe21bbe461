"""The administration's pages, a module for each entry of the rail."""

from importlib import import_module

from huijia.admin.pages.desk import pages

__all__ = ["pages"]

for _name in "entrance today services staff roles centres settings repairs audit account".split():  # noqa: SIM905
    import_module(f"huijia.admin.pages.{_name}")
