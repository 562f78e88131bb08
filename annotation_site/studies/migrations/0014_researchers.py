"""The group of those who may make studies."""

from typing import Any

from django.db import migrations


def make_group(apps: Any, schema_editor: Any) -> None:
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="studies", model="study"
    )
    # Django makes permissions after all migrations; it finds this one there and leaves it.
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename="add_study", defaults={"name": "Can add study"}
    )
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name="researchers")
    group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0013_stimuli_access"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
