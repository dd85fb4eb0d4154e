package clean

// databaseScript tells what a scenario could have changed in PostgreSQL: its
// settings, roles and schema, how many rows each table has and a digest of them,
// and who is connected beside the nodes' own pools; a lock that is waited for, a
// transaction that is left open, and a prepared one are never clean. $HACHAOS_DATABASE
// is the database's name, as in the topology's spec.
const databaseScript = `psql -X -q -U postgres -d "${HACHAOS_DATABASE:-postgres}" -At -v ON_ERROR_STOP=1 <<'SQL'
SELECT 'setting ' || name || '=' || setting FROM pg_settings
 WHERE source NOT IN ('default', 'client', 'session', 'override', 'interactive');
SELECT 'role ' || rolname || ' limit ' || rolconnlimit || ' login ' || rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_';
SELECT 'role setting ' || setdatabase || ' ' || setrole || ' ' || setconfig::text FROM pg_db_role_setting;
SELECT 'database ' || datname || ' limit ' || datconnlimit || ' connections ' || datallowconn FROM pg_database;
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' null ' || is_nullable || ' default ' || coalesce(column_default, '-')
  FROM information_schema.columns WHERE table_schema = 'public';
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public';
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace;
SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal;
SELECT 'rows of ' || tablename || ': ' ||
       (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM public.%I', tablename), false, true, '')))[1]::text
  FROM pg_tables WHERE schemaname = 'public';
SELECT 'content of ' || tablename || ': ' ||
       md5(query_to_xml(format('SELECT t::text AS line FROM public.%I t ORDER BY 1', tablename), false, true, '')::text)
  FROM pg_tables WHERE schemaname = 'public';
SELECT DISTINCT 'connection of ' || coalesce(usename, '') || ' as ' || application_name FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> 'jetty_user';
SELECT 'unsettled: a lock on ' || coalesce(relation::regclass::text, locktype) || ' is waited for' FROM pg_locks WHERE NOT granted;
SELECT 'unsettled: a transaction of ' || application_name || ' is open since ' || date_trunc('second', now() - xact_start) FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < now() - interval '2 seconds';
SELECT 'unsettled: a prepared transaction ' || gid FROM pg_prepared_xacts;
SELECT 'unsettled: it is in recovery' WHERE pg_is_in_recovery();
SQL`

// emptyScript empties the tables that its arguments name, and has their
// numbers begin at 1 again.
const emptyScript = `for t in "$@"; do list="${list:+$list, }public.\"$t\""; done
psql -X -q -U postgres -d "${HACHAOS_DATABASE:-postgres}" -v ON_ERROR_STOP=1 -c "SET lock_timeout = '5s'" -c "TRUNCATE $list RESTART IDENTITY CASCADE"`
