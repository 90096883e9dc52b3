-- Fails where a claim contradicts a mandatory convention; dbt shows the rows.
{{ config(severity = "warn") }}
select claim_id, rule, message, fix from {{ ref("findings") }} where severity = 'error'
