"""Commands about claims: check, fix, scrub."""
