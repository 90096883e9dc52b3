"""The HTTP service: claims in, verdicts out, for billing software in any language and for the page at `/`.

`settings` says what a server is to do, `server` runs it, `app` puts the routes together behind `guard`, which keeps the
limits. The routes are thin: they read a claim, call a validator and write what it says.
"""
