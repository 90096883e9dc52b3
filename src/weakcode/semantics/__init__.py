"""What every edit means: the specification of all engines.

`verbs` and `conditions` declare what an edit can ask, `reference` reads every edit against every diagnosis, `supersede`
says what becomes of violations, `durable_rules` says the verbs once more as durable rules. `pointers` and `terms` say
what service lines and documented text add to a subject. docs/semantics.md is the same in sentences.
"""
