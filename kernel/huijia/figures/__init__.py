"""The figures of the services: who came, how often, and who gave; kept as they happen, never rebuilt."""
