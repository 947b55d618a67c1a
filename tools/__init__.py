"""Programs for working on Watersmeet; no part of the package."""
