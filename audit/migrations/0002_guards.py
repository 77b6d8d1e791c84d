"""The second and third ring: Postgres asks for an audit row at commit, and lets nobody change one."""

from django.db import migrations

# One function a schema. It names its log with the table's own schema, never by search_path, so that a hospital's guard
# cannot be satisfied by a row in another log.
REQUIRE_ROW = """CREATE FUNCTION audit_require_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text := '';
  found boolean;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status IS NOT DISTINCT FROM NEW.status THEN
      RETURN NULL;
    END IF;
    before := OLD.status;
  END IF;
  EXECUTE format(
    'SELECT EXISTS (SELECT 1 FROM %I.audit_auditlog WHERE transaction_id = $1 AND entity = $2 AND entity_id = $3'
    ' AND old = $4 AND new = $5)',
    TG_TABLE_SCHEMA
  ) INTO found USING pg_current_xact_id()::text::bigint, TG_ARGV[0], NEW.id::text, before, NEW.status;
  IF NOT found THEN
    RAISE EXCEPTION '% % went from "%" to "%" without an audit row', TG_ARGV[0], NEW.id, before, NEW.status
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$"""

APPEND_ONLY = """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit rows are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$"""

NO_CHANGE = """CREATE TRIGGER audit_auditlog_append_only BEFORE UPDATE OR DELETE ON audit_auditlog
FOR EACH ROW EXECUTE FUNCTION audit_append_only()"""

NO_TRUNCATE = """CREATE TRIGGER audit_auditlog_no_truncate BEFORE TRUNCATE ON audit_auditlog
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"""


class Migration(migrations.Migration):
    """Functions and triggers of the audit log, in public and in every hospital's schema."""

    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL([REQUIRE_ROW], ["DROP FUNCTION audit_require_row()"]),
        migrations.RunSQL([APPEND_ONLY], ["DROP FUNCTION audit_append_only()"]),
        migrations.RunSQL([NO_CHANGE], ["DROP TRIGGER audit_auditlog_append_only ON audit_auditlog"]),
        migrations.RunSQL([NO_TRUNCATE], ["DROP TRIGGER audit_auditlog_no_truncate ON audit_auditlog"]),
    ]
