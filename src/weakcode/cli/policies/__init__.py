"""Coverage policies: installed, listed and asked."""
