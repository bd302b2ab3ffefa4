-- Makes the real data of the tests: four public CSV files as Parquet, for the lake in this folder.
--
-- Run it in the repository's root, with the CSV files in `../shared/data`; it writes over the files that are here:
--
--     cxlake -f tests/data/import.sql
--
-- airport_survey    from sfo_2017.csv: San Francisco airport passenger survey 2017, DataSF open data.
--                   Public domain (PDDL).
-- telecom_accounts  from telco_customer_churn.csv: IBM's sample of telecom accounts and churn, from
--                   IBM telco-customer-churn-on-icp4d. Apache-2.0.
-- transit_expenses  from ntd_2022_expenses.csv: US National Transit Database 2022, cost by function, US Federal Transit
--                   Administration. Public domain (US government).
-- transit_trips     from ntd_2022_trips.csv: the same, passenger trips. Public domain (US government).
--
-- Nothing is corrected on the way, because finding what is wrong is what the tests are for. Every type is declared by a
-- cast, so that a file with another kind of value fails here instead of in a query; an empty field becomes null;
-- identifiers and codes are text, so that nobody adds them up.

-- 21 of the survey's 97 columns: who answered where, the two overall ratings, the recommendation, the weight. Left out
-- are the single ratings, coded comments and home towns. `netpro` keeps its code 11, which stands for a blank.
copy (
    select
        cast("RESPNUM" as varchar) as respnum,
        cast("RUNID" as varchar) as run_id,
        "DAY" as day,
        cast("GATE" as varchar) as gate,
        "BAREA" as boarding_area,
        cast("STRATA" as varchar) as strata,
        cast("PEAK" as varchar) as peak,
        cast("METHOD" as varchar) as method,
        "AIRLINE" as airline,
        cast("FLIGHT" as varchar) as flight,
        "DESTINATION" as destination,
        cast("DESTGEO" as varchar) as dest_geo,
        cast("DESTMARK" as varchar) as dest_mark,
        cast("Q5FIRSTTIME" as varchar) as q5_first_time,
        -- The one column that writes its blanks out.
        cast(nullif("Q7ALL", 'Blank') as bigint) as q7_all,
        cast("Q9ALL" as bigint) as q9_all,
        cast("NETPRO" as bigint) as netpro,
        cast("Q19AGE" as varchar) as q19_age,
        cast("Q20GENDER" as varchar) as q20_gender,
        cast("LANG" as varchar) as lang,
        -- Ten decimals as they are printed, so that a sum of weights does not depend on the order of its rows.
        cast("WEIGHT" as decimal(12, 10)) as weight
    from '../shared/data/sfo_2017.csv'
) to 'tests/data/airport_survey.parquet';

-- All columns. What says Yes or No and nothing else is a truth value; what has a third answer stays text.
copy (
    select
        "customerID" as customer_id,
        "gender" as gender,
        cast(cast("SeniorCitizen" as bigint) as boolean) as senior_citizen,
        case "Partner" when 'Yes' then true when 'No' then false end as partner,
        case "Dependents" when 'Yes' then true when 'No' then false end as dependents,
        cast("tenure" as bigint) as tenure,
        case "PhoneService" when 'Yes' then true when 'No' then false end as phone_service,
        "MultipleLines" as multiple_lines,
        "InternetService" as internet_service,
        "OnlineSecurity" as online_security,
        "OnlineBackup" as online_backup,
        "DeviceProtection" as device_protection,
        "TechSupport" as tech_support,
        "StreamingTV" as streaming_tv,
        "StreamingMovies" as streaming_movies,
        "Contract" as contract,
        case "PaperlessBilling" when 'Yes' then true when 'No' then false end as paperless_billing,
        "PaymentMethod" as payment_method,
        cast("MonthlyCharges" as decimal(18, 2)) as monthly_charges,
        -- Blank for accounts in their first month: written as one space, so that the whole column reads as text.
        cast(nullif(trim("TotalCharges"), '') as decimal(18, 2)) as total_charges,
        case "Churn" when 'Yes' then true when 'No' then false end as churn
    from '../shared/data/telco_customer_churn.csv'
) to 'tests/data/telecom_accounts.parquet';

-- All columns but the seven that end in "Questionable", which are blank in every row. `ntd_id` keeps its leading zeros.
copy (
    select
        "NTD ID" as ntd_id,
        "Agency" as agency,
        "City" as city,
        "State" as state,
        "Organization Type" as organization_type,
        "Reporter Type" as reporter_type,
        cast("Report Year" as bigint) as report_year,
        cast("UACE Code" as varchar) as uace_code,
        "UZA Name" as uza_name,
        cast("Primary UZA Population" as bigint) as primary_uza_population,
        cast("Agency VOMS" as bigint) as agency_voms,
        "Mode" as mode,
        "Mode Name" as mode_name,
        "TOS" as tos,
        cast("Mode VOMS" as bigint) as mode_voms,
        cast("Vehicle Operations" as decimal(18, 2)) as vehicle_operations,
        cast("Vehicle Maintenance" as decimal(18, 2)) as vehicle_maintenance,
        cast("Facility Maintenance" as decimal(18, 2)) as facility_maintenance,
        cast("General Administration" as decimal(18, 2)) as general_administration,
        cast("Reduced Reporter Expenses" as decimal(18, 2)) as reduced_reporter_expenses,
        cast("Total" as decimal(18, 2)) as total,
        cast("Purchased Transportation Reported Separately" as decimal(18, 2))
            as purchased_transportation_reported_separately
    from '../shared/data/ntd_2022_expenses.csv'
) to 'tests/data/transit_expenses.parquet';

-- All columns. `ntd_id` lost its leading zeros before it got here and stays so: `1` is `00001` among the expenses.
copy (
    select
        cast("NTD ID" as varchar) as ntd_id,
        "Mode" as mode,
        cast("Unlinked Passenger Trips" as bigint) as unlinked_passenger_trips
    from '../shared/data/ntd_2022_trips.csv'
) to 'tests/data/transit_trips.parquet';
