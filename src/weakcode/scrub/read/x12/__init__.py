"""Claims from X12 837 files, professional, institutional and dental: segments, then loops, then claims."""
