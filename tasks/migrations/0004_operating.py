from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tasks', '0003_dead_jobs'),
    ]

    operations = [
        migrations.CreateModel(
            name='Queue',
            fields=[
                ('name', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('paused_at', models.DateTimeField(blank=True, null=True)),
                ('paused_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Tick',
            fields=[
                ('name', models.CharField(help_text='Of the entry in the schedule.', max_length=200, primary_key=True, serialize=False)),
                ('ended_at', models.DateTimeField()),
                ('succeeded_at', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('said', models.TextField(blank=True, help_text='What it returned, or why it failed.')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='job',
            options={'ordering': ['-id'], 'permissions': [('operate_workers', 'Can act on workers and tasks in Flower')]},
        ),
        migrations.AlterField(
            model_name='job',
            name='priority',
            field=models.SmallIntegerField(default=0, help_text='Above 0, it goes before others of its queue.'),
        ),
    ]
