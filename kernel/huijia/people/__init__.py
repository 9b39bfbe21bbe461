"""The residents behind every service: who they are, how they are found, and what they agreed to."""
