import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stimuli", "0001_initial"),
        ("studies", "0009_exclusion_rules_and_adaptive_seats"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="item",
            name="a_word_of_an_image_is_one_item_an_arm",
        ),
        migrations.AddField(
            model_name="item",
            name="second_generation",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="second_items",
                to="stimuli.generation",
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="swap_set",
            field=models.CharField(
                blank=True,
                help_text="The adjectives of a swap set, the first one first, and their noun.",
                max_length=120,
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="kind",
            field=models.CharField(
                choices=[
                    ("likert", "heat map of a word, five answers"),
                    ("presence", "which of two objects are present"),
                    ("change", "what changed between two images"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(
                condition=models.Q(("purpose", ""), ("second_generation__isnull", True)),
                fields=("study", "generation", "word", "arm"),
                name="a_word_of_an_image_is_one_item_an_arm",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(
                condition=models.Q(("second_generation__isnull", False)),
                fields=("study", "generation", "second_generation"),
                name="two_images_are_compared_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("second_generation__isnull", True), ("swap_set", "")),
                    models.Q(
                        ("second_generation__isnull", False),
                        ("second_word__isnull", False),
                        models.Q(("swap_set", ""), _negated=True),
                        models.Q(("second_generation", models.F("generation")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_second_image_is_another_with_its_word",
            ),
        ),
    ]
