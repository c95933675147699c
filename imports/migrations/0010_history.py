import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0009_planned_by_fields'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='purged_at',
            field=models.DateTimeField(blank=True, help_text='When its details were given up.', null=True),
        ),
        migrations.AddIndex(
            model_name='rejectedrow',
            index=models.Index(condition=models.Q(('sku', ''), _negated=True), fields=['sku'], name='rejected_sku'),
        ),
        migrations.AddIndex(
            model_name='setasiderow',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['sku'], name='set_aside_sku', pages_per_range=32),
        ),
    ]
