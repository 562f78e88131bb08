from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('studies', '0004_known_answers_and_texts'),
    ]

    operations = [
        migrations.DeleteModel(
            name='StudyText',
        ),
        migrations.AddField(
            model_name='study',
            name='texts',
            field=models.JSONField(blank=True, default=dict, help_text="The study's own question, anchors and instructions, by language."),
        ),
    ]
