-- The claims, with the names of columns that weakcode knows.
select
    claim_id, codes, try_cast(service_date as date) as service_date, try_cast(age as integer) as age, sex, setting, payer,
    documented
from read_csv('{{ env_var("CLAIMS", "claims.csv") }}', all_varchar = true)
