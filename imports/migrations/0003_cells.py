from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0002_journal_not_compressed'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='blank',
            field=models.CharField(choices=[('keep', 'Keep what the catalogue has'), ('clear', 'Clear it: no description, no category, no metadata, stock 0')], default='keep', help_text='What a blank cell does to its field.', max_length=5),
        ),
        migrations.AddField(
            model_name='importrun',
            name='clear_token',
            field=models.CharField(default='__clear__', help_text='A cell with just this text clears its field.', max_length=40),
        ),
        migrations.AddField(
            model_name='importrun',
            name='constants',
            field=models.JSONField(default=dict, help_text='Our column → what it gets where the file has no such column or a blank cell.'),
        ),
        migrations.AddField(
            model_name='importrun',
            name='numbers',
            field=models.JSONField(default=list, help_text="How numbers are written in each of the file's columns, as far as a sample tells."),
        ),
        migrations.AddField(
            model_name='importrun',
            name='options',
            field=models.JSONField(default=dict, help_text='Our column → how its cells are read: format, currency.'),
        ),
    ]
