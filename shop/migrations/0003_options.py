import django.db.models.deletion
from django.db import migrations, models

# A variant of a variant would be lost to every page that shows a product with its variants. Both rows are locked
# while this looks, so two transactions can't make one together: the parent here, the row itself by its update.
_ONE_LEVEL = """
CREATE FUNCTION shop_product_one_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM shop_product WHERE id = NEW.parent_id AND parent_id IS NULL FOR SHARE;
    IF NOT FOUND AND EXISTS (SELECT FROM shop_product WHERE id = NEW.parent_id)
       OR EXISTS (SELECT FROM shop_product WHERE parent_id = NEW.id) THEN
        RAISE EXCEPTION 'a variant has no variants: % of %', NEW.id, NEW.parent_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'product_one_level', TABLE = 'shop_product';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_product_one_level_insert BEFORE INSERT ON shop_product FOR EACH ROW
WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION shop_product_one_level();
CREATE TRIGGER shop_product_one_level_update BEFORE UPDATE OF parent_id ON shop_product FOR EACH ROW
WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id AND NEW.parent_id IS NOT NULL)
EXECUTE FUNCTION shop_product_one_level();
"""
_ANY_LEVEL = """
DROP TRIGGER shop_product_one_level_insert ON shop_product;
DROP TRIGGER shop_product_one_level_update ON shop_product;
DROP FUNCTION shop_product_one_level;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0002_source_hash'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='options',
            field=models.JSONField(blank=True, db_default={}, default=dict, help_text='What sets a variant apart from its siblings: {"Colour": "red", "Size": "M"}.'),
        ),
        migrations.AlterField(
            model_name='product',
            name='parent',
            field=models.ForeignKey(blank=True, db_index=False, help_text='The product that this one is a variant of.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='variants', to='shop.product', verbose_name='variant of'),
        ),
        migrations.AlterField(
            model_name='productimage',
            name='source_url',
            field=models.URLField(blank=True, max_length=1000, verbose_name='address'),
        ),
        migrations.AlterConstraint(
            model_name='product',
            name='product_not_own_parent',
            constraint=models.CheckConstraint(condition=models.Q(('parent', models.F('pk')), _negated=True), name='product_not_own_parent', violation_error_message="A product can't be a variant of itself."),
        ),
        migrations.RunSQL(_ONE_LEVEL, _ANY_LEVEL),
    ]
