from django.db import migrations

import annotations.models.sources


class Migration(migrations.Migration):
    dependencies = [("annotations", "0004_review_by_undo")]

    operations = [
        migrations.AlterField(
            model_name="suggestionset",
            name="sources",
            field=annotations.models.sources.SourcesField(default=list),
        ),
    ]
