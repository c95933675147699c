"""The catalogue: categories, products with their images and variants, and the stock ledger."""

from shop.models.base import ContentVersion as ContentVersion
from shop.models.base import TimestampedModel as TimestampedModel
from shop.models.base import UUIDv7 as UUIDv7
from shop.models.base import new_key as new_key
from shop.models.category import MAX_PATH as MAX_PATH
from shop.models.category import TREE_ORDER as TREE_ORDER
from shop.models.category import Category as Category
from shop.models.category import CategoryQuerySet as CategoryQuerySet
from shop.models.product import Product as Product
from shop.models.product import ProductImage as ProductImage
from shop.models.product import ProductQuerySet as ProductQuerySet
from shop.models.product import StockLevel as StockLevel
from shop.models.search import CatalogueVersion as CatalogueVersion
from shop.models.search import SearchDocument as SearchDocument
from shop.models.stock import StockMovement as StockMovement
