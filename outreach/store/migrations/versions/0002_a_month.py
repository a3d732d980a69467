"""A month."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

import outreach.store.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "arrangement_kind",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_arrangement_kind")),
    )
    op.create_table(
        "arrangement_state",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_arrangement_state")),
    )
    op.create_table(
        "edit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("entity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("value", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source_value", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default=""),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("withdrawn_at", outreach.store.types.Moment(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edit")),
    )
    with op.batch_alter_table("edit", schema=None) as batch_op:
        batch_op.create_index(
            "uq_edit_current",
            ["entity", "entity_id", "field"],
            unique=True,
            sqlite_where=sa.text("withdrawn_at is null"),
            postgresql_where=sa.text("withdrawn_at is null"),
        )

    op.create_table(
        "instalment_state",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_instalment_state")),
    )
    op.create_table(
        "signal_kind",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_signal_kind")),
    )
    op.create_table(
        "strategy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy")),
        sa.UniqueConstraint("name", name=op.f("uq_strategy_name")),
    )
    op.create_table(
        "segment_strategy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("creditor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("segment", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("strategy", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["creditor_id"], ["creditor.id"], name=op.f("fk_segment_strategy_creditor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_strategy")),
        sa.UniqueConstraint("creditor_id", "segment", name=op.f("uq_segment_strategy_creditor_id_segment")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dossier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("until_at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_approval_dossier_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_approval_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index("ix_approval_unit", ["dossier_id", "person_id"], unique=False)

    op.create_table(
        "arrangement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("dossier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("agreed_at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("set_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("ended_at", outreach.store.types.Moment(timezone=True), nullable=True),
        sa.Column("ended_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=True),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_arrangement_dossier_id")),
        sa.ForeignKeyConstraint(["kind"], ["arrangement_kind.word"], name=op.f("fk_arrangement_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_arrangement_person_id")),
        sa.ForeignKeyConstraint(["state"], ["arrangement_state.word"], name=op.f("fk_arrangement_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrangement")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_arrangement_pseudonym")),
    )
    with op.batch_alter_table("arrangement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_arrangement_dossier_id"), ["dossier_id"], unique=False)

    op.create_table(
        "instalment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("arrangement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("nudged_at", outreach.store.types.Moment(timezone=True), nullable=True),
        sa.Column("settled_at", outreach.store.types.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["arrangement_id"], ["arrangement.id"], name=op.f("fk_instalment_arrangement_id")
        ),
        sa.ForeignKeyConstraint(["state"], ["instalment_state.word"], name=op.f("fk_instalment_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint("arrangement_id", "number", name=op.f("uq_instalment_arrangement_id_number")),
    )
    op.create_table(
        "signal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("dossier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("set_by", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_signal_claim_id")),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_signal_dossier_id")),
        sa.ForeignKeyConstraint(["kind"], ["signal_kind.word"], name=op.f("fk_signal_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal")),
        sa.UniqueConstraint(
            "dossier_id",
            "claim_id",
            "kind",
            "on_date",
            name=op.f("uq_signal_dossier_id_claim_id_kind_on_date"),
        ),
    )
    with op.batch_alter_table("signal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signal_claim_id"), ["claim_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signal_dossier_id"), ["dossier_id"], unique=False)

    op.create_table(
        "step_done",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column(
            "strategy_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False, server_default=""
        ),
        sa.Column("tone", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""),
        sa.Column("how", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False, server_default="1"),
        sa.Column("at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_step_done_claim_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_step_done_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_done")),
    )
    with op.batch_alter_table("step_done", schema=None) as batch_op:
        batch_op.create_index("ix_step_done_claim", ["claim_id", "person_id"], unique=False)

    op.create_table(
        "service_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("template", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("purpose", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("dossier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False),
        sa.Column("arrangement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("instalment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("stop_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asked_at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("until_at", outreach.store.types.Moment(timezone=True), nullable=False),
        sa.Column("closed_at", outreach.store.types.Moment(timezone=True), nullable=True),
        sa.Column(
            "closed_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""
        ),
        sa.ForeignKeyConstraint(
            ["arrangement_id"], ["arrangement.id"], name=op.f("fk_service_message_arrangement_id")
        ),
        sa.ForeignKeyConstraint(["dossier_id"], ["dossier.id"], name=op.f("fk_service_message_dossier_id")),
        sa.ForeignKeyConstraint(
            ["instalment_id"], ["instalment.id"], name=op.f("fk_service_message_instalment_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_service_message_payment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_service_message_person_id")),
        sa.ForeignKeyConstraint(["stop_id"], ["stop.id"], name=op.f("fk_service_message_stop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_message")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_service_message_pseudonym")),
        sa.UniqueConstraint("template", "subject", name=op.f("uq_service_message_template_subject")),
    )
    with op.batch_alter_table("service_message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_service_message_open",
            ["dossier_id", "person_id"],
            unique=False,
            sqlite_where=sa.text("closed_at is null"),
            postgresql_where=sa.text("closed_at is null"),
        )
        batch_op.create_index(batch_op.f("ix_service_message_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempt_awaited",
            ["channel", "handed_over_at", "token"],
            unique=False,
            sqlite_where=sa.text("state in ('accepted', 'posted')"),
            postgresql_where=sa.text("state in ('accepted', 'posted')"),
        )

    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.add_column(sa.Column("direct_debit", sa.Boolean(), nullable=False, server_default="0"))
        batch_op.add_column(
            sa.Column(
                "last_step", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""
            )
        )
        batch_op.add_column(sa.Column("last_step_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("listed_on", sa.Date(), nullable=True))

    with op.batch_alter_table("creditor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tolerance_cents", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("notice_days", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("confirm_payments", sa.Boolean(), nullable=False, server_default="1"))
        batch_op.add_column(
            sa.Column("handover_to", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("plan_floor_cents", sa.BigInteger(), nullable=False, server_default="2500")
        )
        batch_op.add_column(sa.Column("plan_most_parts", sa.Integer(), nullable=False, server_default="12"))
        batch_op.add_column(sa.Column("promise_most_days", sa.Integer(), nullable=False, server_default="14"))
        batch_op.add_column(
            sa.Column("deferral_most_days", sa.Integer(), nullable=False, server_default="30")
        )

    with op.batch_alter_table("dossier", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "segment", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False, server_default=""
            )
        )
        batch_op.add_column(sa.Column("strategy", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=True))
        batch_op.add_column(sa.Column("moved_at", outreach.store.types.Moment(timezone=True), nullable=True))

    with op.batch_alter_table("dossier_party", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "triage", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False, server_default="open"
            )
        )

    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "put_aside", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""
            )
        )

    # By hand: on SQLite a column with a foreign key would have its whole table copied and dropped, while rows of
    # other tables point at it. One that may be null can simply be added. A default that is an expression would have
    # the table copied too, so all defaults here are plain words.
    big = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for table, column, parent in (
        ("message", "service_message_id", "service_message"),
        ("stop", "arrangement_id", "arrangement"),
    ):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} {big} "
            f"CONSTRAINT fk_{table}_{column} REFERENCES {parent} (id)"
        )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_service_message_id"), ["service_message_id"], unique=False
        )

    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_booked_on"), ["booked_on"], unique=False)

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("income_day", sa.Integer(), nullable=True))

    with op.batch_alter_table("stop", schema=None) as batch_op:
        batch_op.add_column(sa.Column("amount_cents", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "department", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False, server_default=""
            )
        )
        batch_op.add_column(sa.Column("answer_by_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("content_id", sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f("ix_stop_arrangement_id"), ["arrangement_id"], unique=False)

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "currency", sqlmodel.sql.sqltypes.AutoString(length=3), nullable=False, server_default=""
            )
        )
        batch_op.add_column(
            sa.Column("step", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column(
                "strategy_hash",
                sqlmodel.sql.sqltypes.AutoString(length=64),
                nullable=False,
                server_default="",
            )
        )
        batch_op.add_column(
            sa.Column(
                "department", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False, server_default=""
            )
        )
        batch_op.add_column(sa.Column("content_id", sa.String(length=32), nullable=True))
        batch_op.add_column(
            sa.Column(
                "closed_code", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False, server_default=""
            )
        )
