from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("raters", "0003_external_ids"),
        ("rating", "0005_a_judgement_is_one_whole_answer"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="judgement",
            name="a_judgement_is_one_answer",
        ),
        migrations.AddField(
            model_name="judgement",
            name="change",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "-"),
                    ("object", "the object"),
                    ("background", "the background"),
                    ("both", "both"),
                    ("nothing", "nothing"),
                ],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="judgement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("change", ""),
                        ("opt_out", ""),
                        ("rating__isnull", False),
                        ("rating__range", (1, 5)),
                        ("first_present__isnull", True),
                        ("second_present__isnull", True),
                    ),
                    models.Q(
                        ("change", ""),
                        ("first_present__isnull", False),
                        ("opt_out", ""),
                        ("rating__isnull", True),
                        ("second_present__isnull", False),
                    ),
                    models.Q(
                        ("first_present__isnull", True),
                        ("rating__isnull", True),
                        ("second_present__isnull", True),
                        models.Q(
                            models.Q(("change", ""), ("opt_out__in", ["word_too_abstract", "image_too_poor"])),
                            models.Q(("change__in", ["object", "background", "both", "nothing"]), ("opt_out", "")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="a_judgement_is_one_answer",
            ),
        ),
    ]
