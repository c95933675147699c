import django.contrib.postgres.fields
from django.db import migrations, models

# Keys hardly compress, and trying took a thirtieth of the load.
_PLAIN = "ALTER TABLE imports_createdproducts ALTER product_ids SET STORAGE EXTERNAL"
_COMPRESSED = "ALTER TABLE imports_createdproducts ALTER product_ids SET STORAGE EXTENDED"


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(_PLAIN, _COMPRESSED),
        migrations.AddField(
            model_name='chunk',
            name='categories',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, help_text='Paths that its rows name, until the import has ended.', size=None),
        ),
        migrations.AddField(
            model_name='chunk',
            name='unchanged',
            field=models.BinaryField(default=b'', help_text='One byte a line, compressed: 1 where the product was just so already.'),
        ),
    ]
