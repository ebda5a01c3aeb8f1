from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0003_proposals")]

    operations = [
        migrations.AddIndex(
            model_name="review",
            index=models.Index(
                condition=models.Q(("undone_at__isnull", False)),
                fields=["project", "-undone_at"],
                name="review_by_undo",
            ),
        ),
    ]
