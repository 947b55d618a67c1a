"""Dev: what only ``watersmeet dev`` has: a clock to turn, faults to inject, a reset, an inspector, a playground.

Owns everything under ``/_dev/``. It wraps the finished application from outside (``workshop.Workshop.around``),
so nothing in the other packages waits for it, and ``serve`` never imports it. Must not decide what the provider
does: it watches, moves the time, gets in the way, and says why.
"""
