import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0011_paused'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ExportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting for a worker'), ('running', 'writing the file'), ('completed', 'completed'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='waiting', max_length=10)),
                ('format', models.CharField(choices=[('csv', 'CSV'), ('xlsx', 'Excel workbook (.xlsx)')], default='csv', max_length=4)),
                ('profile', models.CharField(choices=[('tallyman', 'Tallyman'), ('shopify', 'Shopify'), ('woocommerce', 'WooCommerce')], default='tallyman', max_length=30)),
                ('filter', models.JSONField(blank=True, default=dict, help_text='Which products: ids, list, category, published; none for all.')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, help_text='Name of its folder.')),
                ('products', models.BigIntegerField(default=0, help_text='Products to be written, variants among them.')),
                ('done', models.BigIntegerField(default=0, help_text='Products written so far.')),
                ('rows', models.BigIntegerField(default=0, help_text='Rows of the file below its header.')),
                ('file', models.FileField(blank=True, max_length=255, upload_to='')),
                ('size', models.BigIntegerField(default=0, help_text='Bytes.')),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'export',
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['completed', 'failed', 'cancelled'])), models.Q(('finished_at__isnull', True), ('state__in', ['waiting', 'running'])), _connector='OR'), name='export_ended_has_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'completed'), _negated=True), ('size__gt', 0), _connector='OR'), name='export_completed_had_file')],
            },
        ),
    ]
