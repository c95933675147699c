from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0004_saved_mapping'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrun',
            name='profile',
            field=models.CharField(blank=True, help_text='The shop system whose export the file is; blank for none.', max_length=30),
        ),
        migrations.AddField(
            model_name='importrun',
            name='variant_ranges',
            field=models.JSONField(default=list, help_text='Key ranges of variants, to be loaded when all other rows are.'),
        ),
        migrations.AlterField(
            model_name='importrun',
            name='blank',
            field=models.CharField(choices=[('keep', 'Keep what the catalogue has'), ('clear', 'Clear it: no description, category, metadata, parent, options or images, stock 0')], default='keep', help_text='What a blank cell does to its field.', max_length=5),
        ),
    ]
