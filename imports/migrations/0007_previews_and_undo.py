import django.contrib.postgres.fields
import django.db.models.deletion
import imports.models.run
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0006_repaired_rows'),
        ('shop', '0004_versions_and_stock'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PlannedChange',
            fields=[
                ('pk', models.CompositePrimaryKey('run_id', 'sku', blank=True, editable=False, primary_key=True, serialize=False)),
                ('run', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='planned_changes', to='imports.importrun')),
                ('sku', models.CharField(db_collation='C', max_length=100)),
                ('line', models.BigIntegerField()),
                ('fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30))),
                ('before', models.JSONField()),
                ('after', models.JSONField(help_text='None for a product that would be taken out.', null=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name='setasiderow',
            options={'ordering': ['line', 'sku']},
        ),
        migrations.RemoveConstraint(
            model_name='importrun',
            name='import_one_active',
        ),
        migrations.AddField(
            model_name='createdproducts',
            name='version',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='approved_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='importrun',
            name='error_limit',
            field=models.IntegerField(default=0, help_text='Broken rows that are put up with.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='errors',
            field=models.CharField(choices=[('land', 'Import the good rows, list the broken ones'), ('nothing', 'Import nothing if any row is broken'), ('limit', 'Stop when more rows are broken than')], default='land', help_text='What broken rows mean for the others.', max_length=10),
        ),
        migrations.AddField(
            model_name='importrun',
            name='forecast',
            field=models.JSONField(default=dict, help_text='What the preview counted, by outcome and field.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='kind',
            field=models.CharField(choices=[('import', 'import'), ('undo', 'undo')], default='import', max_length=6),
        ),
        migrations.AddField(
            model_name='importrun',
            name='mirror',
            field=models.CharField(blank=True, choices=[('', 'Leave them as they are'), ('category', 'Unpublish those of a category'), ('source', 'Unpublish those of the same source')], default='', help_text='What happens to products that the file no longer has.', max_length=10),
        ),
        migrations.AddField(
            model_name='importrun',
            name='mirror_category',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='shop.category'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='paused_at',
            field=models.DateTimeField(blank=True, help_text='Set while it is paused.', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='preview',
            field=models.BooleanField(default=False, help_text='Show all that would change and wait until somebody approves it.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='previewed_at',
            field=models.DateTimeField(blank=True, help_text='When the preview was there.', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='purged_at',
            field=models.DateTimeField(blank=True, help_text='When file and journal were removed.', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='queued_at',
            field=models.DateTimeField(blank=True, help_text='Decides who writes first.', null=True),
        ),
        migrations.AddField(
            model_name='importrun',
            name='ranges',
            field=models.JSONField(default=list, help_text='Key ranges to be loaded when a preview is approved.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='ranges_compared',
            field=models.IntegerField(default=0, help_text='For the preview.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='source',
            field=models.CharField(blank=True, help_text='Name of the feed; its products remember it.', max_length=60),
        ),
        migrations.AddField(
            model_name='importrun',
            name='stock_as',
            field=models.CharField(choices=[('set', 'The stock there is (what was sold since the file came is taken off)'), ('adjust', 'Pieces to add, or with a minus to take away')], default='set', help_text='What a number of stock means.', max_length=6),
        ),
        migrations.AddField(
            model_name='importrun',
            name='stock_kept',
            field=models.BigIntegerField(default=0, help_text='Rows whose stock had sales since the file came taken off; no outcome.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='undoes',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The run that this one takes back.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='undone_by', to='imports.importrun'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='unlisted',
            field=models.BigIntegerField(default=0, help_text='Products that the file no longer has and that were unpublished; no outcome.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='warnings',
            field=models.JSONField(default=list, help_text='Of what the preview found: code, message, figure, limit, second of each.'),
        ),
        migrations.AddField(
            model_name='rejectedrow',
            name='sku',
            field=models.CharField(blank=True, db_collation='C', db_default='', help_text='Where it could be told.', max_length=100),
        ),
        migrations.AddField(
            model_name='rowchange',
            name='version_after',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='rowchange',
            name='version_before',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='setasiderow',
            name='code',
            field=models.CharField(blank=True, db_default='', help_text='Names the reason.', max_length=30),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='file',
            field=models.FileField(blank=True, max_length=255, upload_to=imports.models.run.upload_path),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='mode',
            field=models.CharField(choices=[('upsert', 'Create new products and update existing ones'), ('create', 'Only create new products'), ('update', 'Only update existing products'), ('unpublish', 'Unpublish the products that are listed'), ('delete', 'Delete the products that are listed')], default='upsert', max_length=10),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='state',
            field=models.CharField(choices=[('draft', 'to be confirmed'), ('planning', 'reading the file'), ('waiting', 'waiting for another import'), ('staging', 'checking rows'), ('checking', 'comparing with the catalogue'), ('previewed', 'to be approved'), ('loading', 'writing to the catalogue'), ('finishing', 'finishing'), ('completed', 'completed'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='draft', max_length=10),
        ),
        migrations.AlterField(
            model_name='rowchange',
            name='after',
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name='rowchange',
            name='before',
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name='rowchange',
            name='line',
            field=models.BigIntegerField(help_text='0 for a change that no line of the file made.'),
        ),
        migrations.AlterField(
            model_name='setasiderow',
            name='line',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'import'), ('undoes', None)), models.Q(('kind', 'undo'), ('undoes__isnull', False)), _connector='OR'), name='import_undo_names_what_it_undoes'),
        ),
        migrations.AddConstraint(
            model_name='importrun',
            constraint=models.UniqueConstraint(models.Value(1), condition=models.Q(('state__in', ['loading', 'finishing']), models.Q(('preview', False), ('state__in', ['staging', 'checking'])), _connector='OR'), name='import_one_active'),
        ),
        # Who waits already keeps the order of confirmation.
        migrations.RunSQL("UPDATE imports_importrun SET queued_at = confirmed_at", migrations.RunSQL.noop),
    ]
