from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0007_previews_and_undo'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='importrun',
            options={'ordering': ['-pk'], 'permissions': [('approve_risky_import', 'Can approve an import whose preview gives strong warnings')], 'verbose_name': 'import'},
        ),
        migrations.AddField(
            model_name='chunk',
            name='versions',
            field=models.BinaryField(default=b'', help_text='For a preview: SKU → version of its product when it was compared, compressed.'),
        ),
    ]
