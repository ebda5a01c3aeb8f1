import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0005_sources_as_text"),
    ]

    operations = [
        migrations.CreateModel(
            name="RankingAge",
            fields=[
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="annotations.project",
                    ),
                ),
                ("built_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="TagRanking",
            fields=[
                (
                    "tag",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ranking",
                        serialize=False,
                        to="annotations.tag",
                    ),
                ),
                ("waiting", models.PositiveIntegerField()),
                ("offered", models.PositiveIntegerField()),
                (
                    "best_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "uncertain_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="annotations.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VerifiedPage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("yes", models.PositiveIntegerField()),
                ("no", models.PositiveIntegerField()),
                ("seconds", models.FloatField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="annotations.project",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotations.tag"
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="verified_page",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="decisions",
                to="annotations.verifiedpage",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(("verified_page__isnull", False)),
                fields=["verified_page"],
                name="decision_by_verified_page",
            ),
        ),
        migrations.AddIndex(
            model_name="verifiedpage",
            index=models.Index(fields=["project", "-created_at"], name="verified_by_time"),
        ),
        migrations.AddIndex(
            model_name="verifiedpage",
            index=models.Index(
                condition=models.Q(("undone_at__isnull", False)),
                fields=["project", "-undone_at"],
                name="verified_by_undo",
            ),
        ),
    ]
