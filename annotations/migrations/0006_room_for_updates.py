"""Rewriting suggestions and ranks touches fewer indexes.

A page of suggestions is filled to less than half, so that the next version of each row fits beside it: PostgreSQL
then leaves the indexes alone and clears the old versions as it goes. The index of queue entries by project alone
repeats the start of the two others.
"""

import django.db.models.deletion
from django.db import migrations, models

ROOM = "ALTER TABLE annotations_suggestionset SET (fillfactor = 45)"
NO_ROOM = "ALTER TABLE annotations_suggestionset RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("annotations", "0005_sources_as_text")]

    operations = [
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.AlterField(
            model_name="queueentry",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="annotations.project",
            ),
        ),
    ]
