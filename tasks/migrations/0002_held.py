from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tasks', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='job',
            name='job_finished_has_time',
        ),
        migrations.AlterField(
            model_name='job',
            name='state',
            field=models.CharField(choices=[('queued', 'waiting'), ('held', 'on hold'), ('running', 'running'), ('done', 'done'), ('dead', 'dead letter'), ('cancelled', 'cancelled')], default='queued', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['done', 'dead', 'cancelled'])), models.Q(('finished_at__isnull', True), ('state__in', ['queued', 'held', 'running'])), _connector='OR'), name='job_finished_has_time'),
        ),
    ]
