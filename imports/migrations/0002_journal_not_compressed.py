from django.db import migrations

# Keys hardly compress, and trying took a thirtieth of the load.
_PLAIN = "ALTER TABLE imports_createdproducts ALTER product_ids SET STORAGE EXTERNAL"
_COMPRESSED = "ALTER TABLE imports_createdproducts ALTER product_ids SET STORAGE EXTENDED"


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0001_initial'),
    ]

    operations = [migrations.RunSQL(_PLAIN, _COMPRESSED)]
