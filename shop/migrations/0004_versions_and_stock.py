
import django.db.models.deletion
import django.db.models.functions.datetime
import shop.models.base
from django.db import migrations, models

_CONTENT = ("sku", "slug", "name", "description", "price", "category_id", "published", "featured", "metadata",
            "parent_id", "options")  # fmt: skip
_CONTENT_DIFFERS = "({}) IS DISTINCT FROM ({})".format(
    ", ".join(f"OLD.{name}" for name in _CONTENT), ", ".join(f"NEW.{name}" for name in _CONTENT)
)
_ANNOUNCED = "coalesce(current_setting('tallyman.source_hash', true), '') = 'kept'"

# Whoever changes a product's content gets a new version, staff and SQL by hand alike; a stale copy that is saved
# can't bring an old version back. Imports announce themselves and set it on their own.
_VERSIONS = f"""
CREATE FUNCTION shop_product_new_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {_CONTENT_DIFFERS} OR NEW.version > OLD.version THEN
        NEW.version := nextval('shop_content_version');
    ELSE
        NEW.version := OLD.version;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_product_new_version BEFORE UPDATE ON shop_product FOR EACH ROW
WHEN ((NEW.version <> OLD.version OR {_CONTENT_DIFFERS}) AND NOT {_ANNOUNCED})
EXECUTE FUNCTION shop_product_new_version();

CREATE FUNCTION shop_productimage_new_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE shop_product SET version = nextval('shop_content_version')
    WHERE id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.product_id END,
                 CASE WHEN TG_OP <> 'INSERT' THEN OLD.product_id END);
    RETURN NULL;
END $$;
CREATE TRIGGER shop_productimage_new_version AFTER INSERT OR UPDATE OR DELETE ON shop_productimage FOR EACH ROW
WHEN (NOT {_ANNOUNCED}) EXECUTE FUNCTION shop_productimage_new_version();
"""
_NO_VERSIONS = """
DROP TRIGGER shop_product_new_version ON shop_product;
DROP FUNCTION shop_product_new_version;
DROP TRIGGER shop_productimage_new_version ON shop_productimage;
DROP FUNCTION shop_productimage_new_version;
"""

# The ledger is written by the database, so it is right whoever changes a stock. What `shop.stock.announced` says
# of the change comes in settings of the transaction; a writer of many rows may write their movements itself.
_LEDGER = """
CREATE FUNCTION shop_product_opens_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opening_stock := NEW.stock;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_product_opens_stock BEFORE INSERT ON shop_product FOR EACH ROW
WHEN (NEW.opening_stock = 0 AND NEW.stock <> 0) EXECUTE FUNCTION shop_product_opens_stock();

CREATE FUNCTION shop_product_keeps_opening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.opening_stock := OLD.opening_stock;
    RETURN NEW;
END $$;
CREATE TRIGGER shop_product_keeps_opening BEFORE UPDATE ON shop_product FOR EACH ROW
WHEN (NEW.opening_stock <> OLD.opening_stock) EXECUTE FUNCTION shop_product_keeps_opening();

CREATE FUNCTION shop_product_moves_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop_stockmovement (product_id, quantity, balance, kind, reference, note, by, at)
    VALUES (
        NEW.id, NEW.stock - OLD.stock, NEW.stock,
        coalesce(nullif(current_setting('tallyman.stock_kind', true), ''), 'correction'),
        coalesce(current_setting('tallyman.stock_reference', true), ''),
        coalesce(current_setting('tallyman.stock_note', true), ''),
        coalesce(current_setting('tallyman.stock_by', true), ''),
        clock_timestamp()
    );
    RETURN NULL;
END $$;
CREATE TRIGGER shop_product_moves_stock AFTER UPDATE ON shop_product FOR EACH ROW
WHEN (NEW.stock <> OLD.stock AND coalesce(current_setting('tallyman.stock_kind', true), '') <> 'written')
EXECUTE FUNCTION shop_product_moves_stock();

CREATE FUNCTION shop_stockmovement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the stock ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER shop_stockmovement_stays BEFORE UPDATE OR DELETE ON shop_stockmovement FOR EACH ROW
EXECUTE FUNCTION shop_stockmovement_stays();
"""
_NO_LEDGER = """
DROP TRIGGER shop_product_opens_stock ON shop_product;
DROP FUNCTION shop_product_opens_stock;
DROP TRIGGER shop_product_keeps_opening ON shop_product;
DROP FUNCTION shop_product_keeps_opening;
DROP TRIGGER shop_product_moves_stock ON shop_product;
DROP FUNCTION shop_product_moves_stock;
DROP TRIGGER shop_stockmovement_stays ON shop_stockmovement;
DROP FUNCTION shop_stockmovement_stays;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0003_options'),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE shop_content_version CACHE 32", "DROP SEQUENCE shop_content_version"),
        migrations.AddField(
            model_name='product',
            name='opening_stock',
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='source',
            field=models.CharField(blank=True, db_collation='C', db_default='', default='', editable=False, max_length=60),
        ),
        migrations.AddField(
            model_name='product',
            name='version',
            field=models.BigIntegerField(db_default=shop.models.base.ContentVersion(), editable=False),
        ),
        migrations.CreateModel(
            name='StockMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.IntegerField(help_text='Pieces; negative where they left.')),
                ('balance', models.IntegerField(help_text="The product's stock afterwards.")),
                ('kind', models.CharField(choices=[('sale', 'sale'), ('return', 'return'), ('import', 'import'), ('undo', 'undo of an import'), ('correction', 'correction')], max_length=12)),
                ('reference', models.CharField(blank=True, help_text='What it belongs to: import/12.', max_length=100)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('by', models.CharField(blank=True, help_text='User name of who did it; blank for nobody.', max_length=150)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='stock_movements', to='shop.product')),
            ],
            options={
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['product', 'id'], name='stock_movement_product'), models.Index(condition=models.Q(('kind__in', ['sale', 'return'])), fields=['at'], name='stock_movement_sold')],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity', 0), _negated=True), name='stock_movement_moves')],
            },
        ),
        migrations.RunSQL("UPDATE shop_product SET opening_stock = stock", migrations.RunSQL.noop),
        migrations.RunSQL(_VERSIONS, _NO_VERSIONS),
        migrations.RunSQL(_LEDGER, _NO_LEDGER),
    ]
