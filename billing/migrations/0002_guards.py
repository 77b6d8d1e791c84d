from django.db import migrations

from audit.operations import GuardStatus

APPEND_ONLY = """CREATE FUNCTION billing_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to.', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$"""

# Checked at commit, when all sides of an entry are there; an entry without any side would be none. Tables are named with
# the trigger's own schema, never by search_path.
BALANCED = """CREATE FUNCTION billing_require_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := to_jsonb(NEW) ->> TG_ARGV[0];
    balances boolean;
BEGIN
    EXECUTE format(
        'SELECT count(*) > 0 AND sum(debit) = sum(credit) FROM %I.billing_posting WHERE entry_id = $1', TG_TABLE_SCHEMA
    ) INTO balances USING entry;
    IF NOT balances THEN
        RAISE EXCEPTION 'Journal entry % does not balance.', entry USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$"""

# An issued bill reads the same for ever: only its status goes on, and the code of the visit when that is moved.
FROZEN = """CREATE FUNCTION billing_keep_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.number IS NULL THEN RETURN OLD; END IF;
    ELSIF OLD.number IS NULL OR to_jsonb(NEW) - '{status,about_code}'::text[] = to_jsonb(OLD) - '{status,about_code}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'Bill % is issued: correct it by a credit note.', OLD.reference USING ERRCODE = 'restrict_violation';
END $$"""

FROZEN_LINES = """CREATE FUNCTION billing_keep_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line record;
    issued boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN line := OLD; ELSE line := NEW; END IF;
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM %I.billing_invoice WHERE id = $1 AND number IS NOT NULL)', TG_TABLE_SCHEMA
    ) INTO issued USING line.invoice_id;
    IF issued THEN
        RAISE EXCEPTION 'The bill of this line is issued: correct it by a credit note.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN line;
END $$"""

# Tax of India: health care services are exempt; medicines 12 % until the reform of September 2025, 5 % since.
RULES = """INSERT INTO billing_billingrules (id, legal_name, gstin, series, discount_limit_percent, discount_cap_percent,
    refund_limit, takes_online, footer)
VALUES (1, '', '', 'INV', 10, 80, 2000, true, '')"""
CATEGORIES = """INSERT INTO billing_taxcategory (code, key, name, hsn_sac) VALUES
    (gen_random_uuid(), 'consultation', 'Consultation', '999312'),
    (gen_random_uuid(), 'treatment', 'Treatment and procedures', '999311'),
    (gen_random_uuid(), 'laboratory', 'Laboratory and imaging', '999316'),
    (gen_random_uuid(), 'medicine', 'Medicines', '3004'),
    (gen_random_uuid(), 'other', 'Other services', '9997')"""
RATES = """INSERT INTO billing_taxrate (code, category_id, percent, valid_from)
SELECT gen_random_uuid(), category.id, rate.percent, rate.valid_from
FROM (VALUES ('consultation', 0, DATE '2017-07-01'), ('treatment', 0, DATE '2017-07-01'),
    ('laboratory', 0, DATE '2017-07-01'), ('medicine', 12, DATE '2017-07-01'), ('medicine', 5, DATE '2025-09-22'),
    ('other', 18, DATE '2017-07-01')) AS rate (key, percent, valid_from)
JOIN billing_taxcategory category USING (key)"""

ADDED_TO = ["billing_journalentry", "billing_posting", "billing_creditnote", "billing_creditnoteline"]


def trigger(name: str, when: str, table: str, function: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        [f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"],
        [f"DROP TRIGGER {name} ON {table}"],
    )


def balanced(table: str, column: str) -> migrations.RunSQL:
    make = f"""CREATE CONSTRAINT TRIGGER {table}_balanced AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION billing_require_balance('{column}')"""
    return migrations.RunSQL([make], [f"DROP TRIGGER {table}_balanced ON {table}"])


class Migration(migrations.Migration):
    """What Postgres itself refuses to do with money, and the rules and rates every hospital begins with."""

    dependencies = [("billing", "0001_initial"), ("audit", "0002_guards")]

    operations = [
        *[
            GuardStatus(f"billing.{model}")
            for model in (
                "Invoice",
                "Payment",
                "PaymentOrder",
                "Refund",
                "CashDay",
                "InsuranceClaim",
            )
        ],
        migrations.RunSQL([APPEND_ONLY], ["DROP FUNCTION billing_append_only()"]),
        *[
            trigger(f"{table}_append_only", "BEFORE UPDATE OR DELETE", table, "billing_append_only")
            for table in ADDED_TO
        ],
        migrations.RunSQL([BALANCED], ["DROP FUNCTION billing_require_balance()"]),
        balanced("billing_journalentry", "id"),
        balanced("billing_posting", "entry_id"),
        migrations.RunSQL([FROZEN], ["DROP FUNCTION billing_keep_invoice()"]),
        trigger("billing_invoice_frozen", "BEFORE UPDATE OR DELETE", "billing_invoice", "billing_keep_invoice"),
        migrations.RunSQL([FROZEN_LINES], ["DROP FUNCTION billing_keep_lines()"]),
        trigger(
            "billing_invoiceline_frozen",
            "BEFORE INSERT OR UPDATE OR DELETE",
            "billing_invoiceline",
            "billing_keep_lines",
        ),
        migrations.RunSQL([RULES], ["DELETE FROM billing_billingrules"]),
        migrations.RunSQL([CATEGORIES], ["DELETE FROM billing_taxcategory"]),
        migrations.RunSQL([RATES], ["DELETE FROM billing_taxrate"]),
    ]
