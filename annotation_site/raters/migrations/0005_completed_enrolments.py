from typing import Any

from django.db import migrations, models


class AddIndexBesideWriters(migrations.AddIndex):
    """Without a lock on what raters write to; SQLite has neither the lock nor the word for it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, concurrently=True)


class Migration(migrations.Migration):

    # An index is built beside writers only outside a transaction.
    atomic = False

    dependencies = [
        ('raters', '0004_sources'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='enrolment',
            index=models.Index(condition=models.Q(('completed_at__isnull', False)), fields=['study', 'completed_at'], name='completed_enrolments'),
        ),
    ]
