from django.db import migrations, models

# Whoever writes a product without saying that the hash is still right makes it forget its source: staff in the
# admin, an order that takes stock, a stale copy that is saved (or inserted again), SQL by hand.
_FORGET = """
CREATE FUNCTION shop_product_forget_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.source_hash := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_product_forget_source BEFORE INSERT OR UPDATE ON shop_product FOR EACH ROW
WHEN (NEW.source_hash IS NOT NULL AND coalesce(current_setting('tallyman.source_hash', true), '') <> 'kept')
EXECUTE FUNCTION shop_product_forget_source();
"""
_NO_FORGETTING = """
DROP TRIGGER shop_product_forget_source ON shop_product;
DROP FUNCTION shop_product_forget_source;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='source_hash',
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.RunSQL(_FORGET, _NO_FORGETTING),
        # Room on each page for the new versions of its rows: an update that changes no indexed column (price,
        # stock, description) then touches no index.
        migrations.RunSQL(
            "ALTER TABLE shop_product SET (fillfactor = 85)", "ALTER TABLE shop_product RESET (fillfactor)"
        ),
    ]
