"""The harness: everything the rows need to drive a server they know only over HTTP."""
