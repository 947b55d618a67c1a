"""The benchmarks: Watersmeet, its peers and the physical limit, side by side in one run on one machine.

``make bench`` prints the tables, ``make bench ARGS=--write`` also makes docs/performance.md of them. A *subject*
is a server that answers token requests; a *workload* is what the load driver asks of every subject alike. Only
ratios within one run mean anything, so every round visits every subject, and the tables show medians of rounds.
"""
