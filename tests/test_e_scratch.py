from tests.stack import migrated_database, stack
import json
def test_x(stack, tmp_path):
    r = stack.manage("make_catalog", "3000", str(tmp_path/"c.csv"), "--errors", "1"); assert r.returncode==0, r.stderr
    stack.start_worker(); stack.start("beat"); print(stack.start_web())
    r = stack.manage("import_catalog", str(tmp_path/"c.csv"), "--json")
    assert r.returncode==0, r.stderr+r.stdout
    print(r.stdout)
    assert stack.sql("select count(*) from shop_product where stock >= %s", [0]) == [(2970,)]
