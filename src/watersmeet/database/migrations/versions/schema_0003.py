"""Schema 3: groups, permissions as the original has them, content of every kind, a grace for each client."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watersmeet.database.dialect import copying_statements, dialect_of, full_text_statements
from watersmeet.database.search_text import index

revision = "3"
down_revision = "2"

# SQLite numbers rows by itself only for a column of type INTEGER.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What the three permissions of version 0.1.0 meant. Its row without a user spoke of everyone who is signed in.
VIEW = ("VIEWSPACE",)
WRITE = (
    *VIEW, "EDITSPACE", "EDITBLOG", "COMMENT", "CREATEATTACHMENT", "REMOVEPAGE", "REMOVEBLOG", "REMOVECOMMENT",
    "REMOVEATTACHMENT", "REMOVEOWNCONTENT", "SETPAGEPERMISSIONS", "EXPORTSPACE", "ARCHIVEPAGE",
)  # fmt: skip
MEANT = {"read": VIEW, "write": WRITE, "admin": (*WRITE, "SETSPACEPERMISSIONS")}


def upgrade() -> None:
    """Make groups and the tables of content; say permissions and titles anew."""
    make_groups()
    make_permissions_of_spaces()
    change_content()
    make_what_belongs_to_content()
    remember_leniencies()
    remember_uses_and_ends()
    make_personal_tokens_and_consents()
    make_search()


def make_groups() -> None:
    """Two groups that everybody of version 0.1.0 is in as their role says."""
    op.create_table(
        "user_groups",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_user_groups_name")),
    )

    op.create_table(
        "group_members",
        sa.Column("group_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["user_groups.id"], name=op.f("fk_group_members_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_group_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
    )
    op.create_index(op.f("ix_group_members_user_id"), "group_members", ["user_id"])

    op.create_table(
        "global_permissions",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("user_id", NUMBER, nullable=True),
        sa.Column("group_id", NUMBER, nullable=True),
        sa.Column("permission", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["user_groups.id"], name=op.f("fk_global_permissions_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_global_permissions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_global_permissions")),
    )
    op.create_index(op.f("ix_global_permissions_group_id"), "global_permissions", ["group_id"])
    op.create_index(op.f("ix_global_permissions_user_id"), "global_permissions", ["user_id"])

    op.execute("INSERT INTO user_groups (name) VALUES ('confluence-users'), ('confluence-administrators')")
    op.execute("INSERT INTO global_permissions (group_id, permission) SELECT id, 'USECONFLUENCE' FROM user_groups")
    op.execute("INSERT INTO global_permissions (group_id, permission) SELECT id, 'PERSONALSPACE' FROM user_groups")
    op.execute(
        "INSERT INTO global_permissions (group_id, permission) SELECT id, 'CREATESPACE' FROM user_groups "
        "WHERE name = 'confluence-administrators'"
    )
    op.execute(
        "INSERT INTO group_members (group_id, user_id) SELECT user_groups.id, users.id FROM user_groups, users "
        "WHERE user_groups.name = 'confluence-users' OR users.role <> 'user'"
    )


def make_permissions_of_spaces() -> None:
    """The same table with groups in it, and finer permissions."""
    tx = op.get_bind()
    before = list(tx.execute(sa.text("SELECT space_id, user_id, permission FROM space_permissions ORDER BY id")))
    everybody = tx.execute(sa.text("SELECT id FROM user_groups WHERE name = 'confluence-users'")).scalar_one()
    op.drop_table("space_permissions")
    op.create_table(
        "space_permissions",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=True),
        sa.Column("group_id", NUMBER, nullable=True),
        sa.Column("permission", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["user_groups.id"], name=op.f("fk_space_permissions_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_space_permissions_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_space_permissions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_permissions")),
    )
    op.create_index(op.f("ix_space_permissions_group_id"), "space_permissions", ["group_id"])
    op.create_index(op.f("ix_space_permissions_space_id"), "space_permissions", ["space_id"])
    op.create_index(op.f("ix_space_permissions_user_id"), "space_permissions", ["user_id"])

    granted = {
        (space_id, user_id, None if user_id is not None else everybody, permission): None
        for space_id, user_id, coarse in before
        for permission in MEANT[coarse]
    }
    if granted:
        names = ("space_id", "user_id", "group_id", "permission")
        table = sa.table("space_permissions", *map(sa.column, names))
        tx.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in granted])


def change_content() -> None:
    """Containers, owners, and titles that are unique among pages and blog posts only."""
    with op.batch_alter_table("spaces") as spaces:
        spaces.add_column(sa.Column("owner_id", NUMBER, nullable=True))
        spaces.add_column(sa.Column("updated_by", NUMBER, nullable=True))
        spaces.add_column(sa.Column("updated_at", sa.BigInteger(), nullable=True))
        spaces.create_foreign_key(op.f("fk_spaces_owner_id"), "users", ["owner_id"], ["id"])
        spaces.create_foreign_key(op.f("fk_spaces_updated_by"), "users", ["updated_by"], ["id"])
        spaces.create_unique_constraint(op.f("uq_spaces_owner_id"), ["owner_id"])

    highest = None
    if op.get_bind().dialect.name == "sqlite":  # the numbers of purged contents are not given out again
        highest = op.get_bind().exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'content'").scalar()
    op.drop_index("uq_content_current_title", "content")
    with op.batch_alter_table("content", table_kwargs={"sqlite_autoincrement": True}) as content:
        content.add_column(sa.Column("container_id", NUMBER, nullable=True))
        content.add_column(sa.Column("representation", sa.String(length=16), server_default="storage", nullable=False))
        content.create_foreign_key(
            op.f("fk_content_container_id"), "content", ["container_id"], ["id"], ondelete="CASCADE"
        )
        content.create_index(op.f("ix_content_container_id"), ["container_id"])
    if highest is not None:
        kept = sa.text("UPDATE sqlite_sequence SET seq = :highest WHERE name = 'content'")
        op.get_bind().execute(kept, {"highest": highest})
    titled = sa.text("status = 'current' AND type IN ('page', 'blogpost')")
    op.create_index(
        "uq_content_current_title",
        "content",
        ["space_id", "type", "title_key"],
        unique=True,
        sqlite_where=titled,
        postgresql_where=titled,
    )
    attached = sa.text("status = 'current' AND type = 'attachment'")
    op.create_index(
        "uq_content_current_attachment",
        "content",
        ["container_id", "title"],
        unique=True,
        sqlite_where=attached,
        postgresql_where=attached,
    )
    op.create_index("ix_content_title_key_space_id", "content", ["title_key", "space_id"])
    op.add_column(
        "content_versions",
        sa.Column("representation", sa.String(length=16), server_default="storage", nullable=False),
    )


def make_what_belongs_to_content() -> None:
    """Files, comments, restrictions, labels, properties, watches, likes, templates, long tasks."""
    op.create_table(
        "attachment_files",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("pictorial", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_attachment_files_content_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "version", name=op.f("pk_attachment_files")),
    )
    op.create_index(op.f("ix_attachment_files_digest"), "attachment_files", ["digest"])

    op.create_table(
        "thumbnails",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_thumbnails")),
    )
    op.create_index(op.f("ix_thumbnails_digest"), "thumbnails", ["digest"])

    op.create_table(
        "comment_places",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("location", sa.String(length=16), nullable=False),
        sa.Column("marker_ref", sa.String(length=64), nullable=True),
        sa.Column("original_selection", sa.Text(), nullable=True),
        sa.Column("resolution", sa.String(length=16), nullable=True),
        sa.Column("resolved_by", NUMBER, nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_comment_places_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["resolved_by"], ["users.id"], name=op.f("fk_comment_places_resolved_by")),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_comment_places")),
    )
    op.create_index(op.f("ix_comment_places_marker_ref"), "comment_places", ["marker_ref"])

    op.create_table(
        "content_restrictions",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("operation", sa.String(length=8), nullable=False),
        sa.Column("user_id", NUMBER, nullable=True),
        sa.Column("group_id", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_restrictions_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["user_groups.id"], name=op.f("fk_content_restrictions_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_content_restrictions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_restrictions")),
    )
    op.create_index(op.f("ix_content_restrictions_content_id"), "content_restrictions", ["content_id"])
    op.create_index(op.f("ix_content_restrictions_group_id"), "content_restrictions", ["group_id"])
    op.create_index(op.f("ix_content_restrictions_user_id"), "content_restrictions", ["user_id"])

    op.create_table(
        "content_guards",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("guard_id", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_guards_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guard_id"], ["content.id"], name=op.f("fk_content_guards_guard_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "guard_id", name=op.f("pk_content_guards")),
    )
    op.create_index(op.f("ix_content_guards_guard_id"), "content_guards", ["guard_id"])

    op.create_table(
        "labels",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("owner_id", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_labels_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
    )
    op.create_index("ix_labels_name", "labels", ["name", "prefix"])
    shared = sa.text("owner_id IS NULL")
    op.create_index(
        "uq_labels_shared", "labels", ["name", "prefix"], unique=True, sqlite_where=shared, postgresql_where=shared
    )
    op.create_index(op.f("ix_labels_owner_id"), "labels", ["owner_id"])

    op.create_table(
        "content_labels",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("label_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_labels_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_content_labels_label_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "label_id", name=op.f("pk_content_labels")),
    )
    op.create_index(op.f("ix_content_labels_label_id"), "content_labels", ["label_id"])

    op.create_table(
        "space_labels",
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("label_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_space_labels_label_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_space_labels_space_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space_id", "label_id", name=op.f("pk_space_labels")),
    )
    op.create_index(op.f("ix_space_labels_label_id"), "space_labels", ["label_id"])

    op.create_table(
        "content_properties",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by", NUMBER, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_properties_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_content_properties_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_properties")),
        sa.UniqueConstraint("content_id", "key", name=op.f("uq_content_properties_content_id_key")),
    )

    op.create_table(
        "space_properties",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by", NUMBER, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_space_properties_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_space_properties_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_properties")),
        sa.UniqueConstraint("space_id", "key", name=op.f("uq_space_properties_space_id_key")),
    )

    op.create_table(
        "content_watches",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_watches_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_content_watches_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("content_id", "user_id", name=op.f("pk_content_watches")),
    )
    op.create_index(op.f("ix_content_watches_user_id"), "content_watches", ["user_id"])

    op.create_table(
        "space_watches",
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("content_type", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_space_watches_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_space_watches_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space_id", "user_id", "content_type", name=op.f("pk_space_watches")),
    )
    op.create_index(op.f("ix_space_watches_user_id"), "space_watches", ["user_id"])

    op.create_table(
        "content_drafts",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("updated_by", NUMBER, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_drafts_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_content_drafts_updated_by")),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_content_drafts")),
    )

    op.create_table(
        "likes",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["content_id"], ["content.id"], name=op.f("fk_likes_content_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_likes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("content_id", "user_id", name=op.f("pk_likes")),
    )
    op.create_index(op.f("ix_likes_user_id"), "likes", ["user_id"])

    op.create_table(
        "favourite_content",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_favourite_content_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_favourite_content_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "user_id", name=op.f("pk_favourite_content")),
    )
    op.create_index(op.f("ix_favourite_content_user_id"), "favourite_content", ["user_id"])

    op.create_table(
        "favourite_spaces",
        sa.Column("space_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["spaces.id"], name=op.f("fk_favourite_spaces_space_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_favourite_spaces_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space_id", "user_id", name=op.f("pk_favourite_spaces")),
    )
    op.create_index(op.f("ix_favourite_spaces_user_id"), "favourite_spaces", ["user_id"])

    op.create_table(
        "content_views",
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("viewed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_views_content_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_content_views_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "content_id", name=op.f("pk_content_views")),
    )
    op.create_index(op.f("ix_content_views_content_id"), "content_views", ["content_id"])

    op.create_table(
        "templates",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("space_id", NUMBER, nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", NUMBER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", NUMBER, nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_templates_created_by")),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_templates_space_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_templates_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index(op.f("ix_templates_space_id"), "templates", ["space_id"])

    op.create_table(
        "long_tasks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("percentage", sa.Integer(), nullable=False),
        sa.Column("successful", sa.Boolean(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_long_tasks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_long_tasks")),
    )
    op.create_index(op.f("ix_long_tasks_finished_at"), "long_tasks", ["finished_at"])
    op.create_index(op.f("ix_long_tasks_user_id"), "long_tasks", ["user_id"])


def remember_leniencies() -> None:
    """A grace for each client, and what a question was let do: null, or empty, in the rows there are."""
    op.add_column("clients", sa.Column("refresh_grace_seconds", sa.Integer(), nullable=True))
    op.add_column(
        "authorizations", sa.Column("legacy", sa.String(length=255), server_default=sa.text("''"), nullable=False)
    )
    # Questions that are open, and codes that are unused, are held to the rules of the moment as before.
    op.execute("UPDATE authorizations SET legacy = 'no-pkce' WHERE code_challenge IS NULL")
    op.execute("UPDATE authorizations SET legacy = 'plain-challenge' WHERE code_challenge_method = 'plain'")


def remember_uses_and_ends() -> None:
    """Last uses, the ends of links and users, what a secret is made from: null in the rows there are."""
    op.add_column("token_families", sa.Column("last_used_from", sa.String(length=64), nullable=True))
    op.add_column("clients", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("client_secrets", sa.Column("last_used_at", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.add_column("client_secrets", sa.Column("salt", sa.String(length=32), nullable=True))


def make_personal_tokens_and_consents() -> None:
    """What users make for scripts of their own, and what they need not be asked again for a while."""
    op.create_table(
        "personal_tokens",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", NUMBER, nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_from", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_personal_tokens_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["made_by"], ["personal_tokens.id"], name=op.f("fk_personal_tokens_made_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personal_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_personal_tokens_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_personal_tokens_user_id"), "personal_tokens", ["user_id"])
    op.create_index(op.f("ix_personal_tokens_expires_at"), "personal_tokens", ["expires_at"])
    op.create_index(op.f("ix_personal_tokens_made_by"), "personal_tokens", ["made_by"])

    op.create_table(
        "consents",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("client", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=255), nullable=False),
        sa.Column("registration", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client"], ["clients.id"], name=op.f("fk_consents_client"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consents_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_client"), "consents", ["client"])
    op.create_index(op.f("ix_consents_user_id"), "consents", ["user_id"])
    op.create_index(op.f("ix_consents_expires_at"), "consents", ["expires_at"])


def make_search() -> None:
    """What contents say, as it is searched, and the words of those there are."""
    op.create_table(
        "search_texts",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_search_texts_content_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_search_texts")),
    )
    op.create_table(
        "search_names",
        sa.Column("content_id", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_search_names_content_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", "kind", "name", name=op.f("pk_search_names")),
    )
    op.create_index(op.f("ix_search_names_kind_name"), "search_names", ["kind", "name"])
    make_facts()
    connection = op.get_bind()
    for statement in full_text_statements(dialect_of(connection)):
        op.execute(statement)
    for content_id in connection.execute(sa.text("SELECT id FROM content")).scalars().all():
        found = connection.execute(sa.text("SELECT title, storage FROM content WHERE id = :id"), {"id": content_id})
        index(connection, content_id, *found.one())


FACTS = (
    "id", "type", "status", "space_id", "parent_id", "container_id", "created_by", "created_at", "updated_by",
    "updated_at",
)  # fmt: skip


def make_facts() -> None:
    """What searches ask of contents beside their words, for those there are and, by triggers, for those to come."""
    op.create_table(
        "search_facts",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("space_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("container_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["content.id"], name=op.f("fk_search_facts_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_facts")),
    )
    columns = ", ".join(FACTS)
    op.execute(f"INSERT INTO search_facts ({columns}) SELECT {columns} FROM content ORDER BY id")  # noqa: S608 - ours
    op.create_index("ix_search_facts_newest", "search_facts", ["status", "updated_at", "id", "space_id", "type"])
    for statement in copying_statements(dialect_of(op.get_bind()), "content", "search_facts", FACTS):
        op.execute(statement)
